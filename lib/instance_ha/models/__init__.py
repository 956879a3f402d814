"""The words of the product: states, rows, facts about the cloud, errors. Imports nothing of ours."""
