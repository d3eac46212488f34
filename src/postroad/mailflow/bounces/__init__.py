"""Mail that came back: who could not be reached and why, scores, probes, switching off, warning, removing."""
