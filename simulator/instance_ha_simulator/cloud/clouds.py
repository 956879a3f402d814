"""How to log in to the simulated cloud: a clouds.yaml, or variables."""

import json

from instance_ha_simulator.cloud.cloud import Cloud


def clouds_yaml(cloud: Cloud, base_url: str) -> str:
    """Return a clouds.yaml with one cloud per user: admin, masakari and demo (as JSON, which is YAML)."""
    entries = {
        user.name: {
            "auth": {
                "auth_url": f"{base_url.rstrip('/')}/identity/v3",
                "username": user.name,
                "password": user.password,
                "project_name": user.project.name,
                "user_domain_id": "default",
                "project_domain_id": "default",
            },
            "region_name": cloud.options.region,
            "identity_api_version": "3",
        }
        for user in cloud.identity.users.values()
    }
    return json.dumps({"clouds": entries}, indent=2) + "\n"


def login_variables(cloud: Cloud, base_url: str) -> dict[str, str]:
    """Return the variables by which OpenStack's clients log in as the administrator."""
    admin = cloud.identity.users["admin"]
    return {
        "OS_AUTH_URL": f"{base_url.rstrip('/')}/identity/v3",
        "OS_USERNAME": admin.name,
        "OS_PASSWORD": admin.password,
        "OS_PROJECT_NAME": admin.project.name,
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
    }
