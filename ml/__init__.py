"""Marquee's recommender library: arrays in, arrays out.

Nothing in here knows Django, settings, the network or the clock. See ``ml.types`` for the data that
models exchange and ``ml.models.base`` for the one contract that all of them keep.
"""
