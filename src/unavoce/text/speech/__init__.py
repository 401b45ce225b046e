"""The passes that turn one displayed sentence into the words a person would say; `unavoce.text.spoken` runs them."""
