# Where every root module but bootstrap keeps its state: `terraform init -backend-config=../backend.hcl`.
# 111122223333 is the account of AWS's own examples: put yours here. `encrypt` is not set: it would ask
# for S3's own key, while the bucket encrypts with ours by itself.
bucket       = "ecommerce-terraform-state-111122223333"
region       = "us-east-1"
use_lockfile = true
