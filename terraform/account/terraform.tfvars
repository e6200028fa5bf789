# 111122223333 is the account of AWS's own examples, and example.com nobody's: put yours here.
account_id     = "111122223333"
backup_region  = "us-west-2"
jenkins_issuer = "https://jenkins.example.com/oidc"
jenkins_job    = "https://jenkins.example.com/job/ecommerce/job/main/"
