"""Instance high availability for OpenStack as stateless functions: the package all functions share.

Layers, each importing only from those below it (checked by ``make check``)::

    entry                               what a function's main.py calls: wiring, health, logs
    api | recovery                      what the functions do
    world                               the one door to everything outside
    store | nova | keystone | events    Postgres, the cloud, CloudEvents
    decide                              pure decisions
    settings | log
    models                              words: enums, rows, facts, errors
"""
