"""What the four services share: kernel, events, database, bus, messaging, HTTP and pages.

Imports point downwards only: service : worker > web > http > messaging > bus > db > events > kernel.
"""
