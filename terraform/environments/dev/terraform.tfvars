# 111122223333 is the account of AWS's own examples, and example.com nobody's: put yours here.
account_id        = "111122223333"
host              = "dev.shop.example.com"
dns_zone_id       = "Z0000000000000EXAMPLE"
admin_role_arns   = ["arn:aws:iam::111122223333:role/platform-engineers"]
api_allowed_cidrs = ["203.0.113.0/28"]
alarm_emails      = ["operations@example.com"]
