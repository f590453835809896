"""What the four services share: kernel, events, database, bus, messaging, HTTP and pages.

Imports point downwards only, in this order:
service : worker > web > http > messaging > bus > db > events > kernel.
"""
