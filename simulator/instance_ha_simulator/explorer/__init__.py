"""Random clouds in which everything goes wrong at random, and checks of what must hold in all of them.

A seed makes a world and its faults as plain data, in the words of a scenario folder; so what breaks a promise can be
shrunk, and written out as a folder.
"""
