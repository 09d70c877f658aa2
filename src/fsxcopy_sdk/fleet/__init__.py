"""Many policies, accounts and Regions at once, and reports of them to look at and to alert on."""
