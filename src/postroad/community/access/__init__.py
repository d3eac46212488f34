"""Who may use REST beside the site itself: people, by tokens that can do no more than the person who made them."""
