"""Who vouches for a mail: DNS, DMARC policies, DKIM signatures, results of the MTA in front of us."""
