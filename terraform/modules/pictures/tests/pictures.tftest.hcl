mock_provider "aws" {}

variables {
  name            = "ecommerce-test-pictures"
  domain          = "pictures.shop.example.com"
  bucket_domain   = "ecommerce-products.s3.us-east-1.amazonaws.com"
  certificate_arn = "arn:aws:acm:us-east-1:111122223333:certificate/mock"
}

run "cloudfront_reads_the_private_bucket_as_itself" {
  command = apply

  assert {
    condition     = aws_cloudfront_origin_access_control.this.signing_behavior == "always" && one(aws_cloudfront_distribution.this.origin).origin_access_control_id == aws_cloudfront_origin_access_control.this.id
    error_message = "Every request to the bucket is signed."
  }
}

run "the_public_reads_over_tls_and_writes_nothing" {
  command = plan

  assert {
    condition     = one(aws_cloudfront_distribution.this.default_cache_behavior).viewer_protocol_policy == "redirect-to-https" && one(aws_cloudfront_distribution.this.viewer_certificate).minimum_protocol_version == "TLSv1.2_2021"
    error_message = "TLS 1.2."
  }

  assert {
    condition     = one(aws_cloudfront_distribution.this.default_cache_behavior).allowed_methods == toset(["GET", "HEAD"])
    error_message = "GET and HEAD."
  }
}

run "a_certificate_of_another_region_is_refused" {
  command = plan

  variables {
    certificate_arn = "arn:aws:acm:us-west-2:111122223333:certificate/mock"
  }

  expect_failures = [var.certificate_arn]
}
