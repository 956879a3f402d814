"""The evacuation of instances: the dispatcher begins and watches them, the handler begins and closes one.

dispatcher.py runs in recover-host; handler.py, start.py and restore.py run in recover-instance.
"""
