"""Adapters: unavoce as the voice of other frameworks' agents. One file each, none of them imported before it is wanted.

Each hands a whole answer of the language model over as one reply, token by token, so that the cache, the chain of
engines and the lock on one voice hold for all of it, and not for each sentence anew.
"""
