"""A demonstration home: sample domain, lists, people and a threaded archive, made the way a real site's come about."""
