"""Reference pages of the law in docs/law, written from the law data. Not part of the library, and not in the wheel."""
