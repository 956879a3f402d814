"""Instance high availability for OpenStack as stateless functions: the package all functions share.

Layers, each importing only from those below it (checked by ``make check``)::

    serving                             what a function's main.py calls, and what an image runs
    composition                         the world of a function, made of what its settings say
    api | recovery                      what the functions do
    world                               the one door to everything outside
    store | nova | keystone | events    Postgres, the cloud, CloudEvents
    decide                              pure decisions
    settings | log
    models                              words: enums, rows, facts, errors
"""
