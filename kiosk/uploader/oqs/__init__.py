"""The public file shape of オンライン資格確認: what the clinic's machines exchange through folders.

Built only from names and codes that are public (element names of 別紙3-1, code tables of 別紙5-1, names of
the messages). The specification itself goes to registered vendors and was not seen: what is not public is a
setting or is left as it comes, and nothing here makes the kiosk a certified terminal.
"""
