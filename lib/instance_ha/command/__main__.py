"""``python -m instance_ha.command``."""

from instance_ha.command import main

if __name__ == "__main__":
    main()
