"""The admin pages of tariffs and budgets; the figures of budgets are shown and not changed."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from messaging.costs.amounts import format_millionths
from messaging.store.models import Budget, BudgetPeriod, Tariff

if TYPE_CHECKING:
    TariffPages = admin.ModelAdmin[Tariff]
    BudgetPages = admin.ModelAdmin[Budget]
    PeriodLines = admin.TabularInline[BudgetPeriod, Budget]
else:
    TariffPages = BudgetPages = admin.ModelAdmin
    PeriodLines = admin.TabularInline


@admin.register(Tariff)
class TariffAdmin(TariffPages):
    """The prices of units by account."""

    list_display = ("account", "price", "currency", "free_units")


class PeriodInline(PeriodLines):
    """The figures of a budget in each period, on the page of the budget."""

    model = BudgetPeriod
    extra = 0
    can_delete = False
    fields = ("starts_at", "top_ups", "sum_reserved", "sum_spent", "warned_percent")
    readonly_fields = fields

    @admin.display(description="added")
    def top_ups(self, period: BudgetPeriod) -> str:
        """Return the sum of the top-ups."""
        return format_millionths(period.added)

    @admin.display(description="reserved")
    def sum_reserved(self, period: BudgetPeriod) -> str:
        """Return what is reserved."""
        return format_millionths(period.reserved)

    @admin.display(description="spent")
    def sum_spent(self, period: BudgetPeriod) -> str:
        """Return what is spent."""
        return format_millionths(period.spent)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: messages make the figures."""
        return False


@admin.register(Budget)
class BudgetAdmin(BudgetPages):
    """The budgets with their figures."""

    list_display = ("target", "limit", "period", "reserve_percent")
    list_filter = ("scope", "period", "currency")
    list_select_related = ("subscriber", "device", "contact__owner")
    search_fields = ("account", "subscriber__name", "device__serial", "contact__name")
    autocomplete_fields = ("subscriber", "device")
    raw_id_fields = ("contact",)
    inlines: ClassVar = [PeriodInline]
