"""``openstack ha …``: the API of this package as commands of python-openstackclient, a module for each noun.

A plug-in (the extra ``osc``): python-openstackclient finds the commands by the entry points of the package. They ask
the API alone, with the caller's own token, and nothing else imports them.
"""
