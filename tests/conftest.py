"""For all tests: a property is never judged by how busy the machine is."""

import os

from hypothesis import settings

# Hypothesis has a profile of its own for CI, which has no deadline either and repeats its examples.
if "CI" not in os.environ:
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")
