"""Programs for those who work on the repository; nothing else imports them."""
