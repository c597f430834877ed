"""The queue: the only writer of deliveries.

| verb | module |
|---|---|
| enqueue | `enqueue` |
| claim, expire, recall, give_back | `claims`; whose turn it is: `lanes` |
| begin | `begin` |
| settle | `ledger` |
| bounce, redeliver, settle_by_parts, charge | `reports` |
| retry, cancel | `operator_actions` |
| postpone | `poison` |

Their statements are in `queries`, which refuses every change of state that `store/states.py` does not list.
"""
