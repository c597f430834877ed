"""SMS: texts from and to phones, through a provider's web API and its webhooks."""
