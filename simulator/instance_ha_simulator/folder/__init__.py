"""What a scenario folder may say: models of world.yaml and faults.yaml, and how they are read."""
