"""Every test's fixtures: servers and databases come from `tests.harness`."""

pytest_plugins = [
    "tests.harness.requirements",
    "tests.harness.databases",
    "tests.harness.machines",
    "tests.harness.clocks",
    "tests.harness.products",
]
