"""Who may do what, by oslo.policy with the rule names of Masakari."""
