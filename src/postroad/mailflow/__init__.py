"""The road: stages that meet only in the queue. timetable.py shows all of it on one page."""
