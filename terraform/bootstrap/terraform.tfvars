# 111122223333 is the account of AWS's own examples: put yours here.
account_id = "111122223333"
