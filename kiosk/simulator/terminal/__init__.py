"""The clinic's 資格確認端末 as a folder: what other programs find there, with invented persons."""
