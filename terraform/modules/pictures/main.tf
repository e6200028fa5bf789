# How product pictures reach the public: CloudFront reads the private bucket, and nobody else does.

resource "aws_cloudfront_origin_access_control" "this" {
  name                              = var.name
  description                       = "Signed requests to the pictures' bucket"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

#trivy:ignore:AVD-AWS-0010 Who looked at which picture is personal data that nobody needs
#trivy:ignore:AVD-AWS-0011 Pictures alone, GET and HEAD, from S3: nothing runs that a request could exploit
resource "aws_cloudfront_distribution" "this" {
  #checkov:skip=CKV2_AWS_32:AWS's own SecurityHeaders policy is named by its id; checkov looks for a resource
  #checkov:skip=CKV2_AWS_47:Pictures alone, GET and HEAD, from S3: nothing runs that a request could exploit
  #checkov:skip=CKV_AWS_68:Pictures alone, GET and HEAD, from S3: nothing runs that a request could exploit
  #checkov:skip=CKV_AWS_86:Who looked at which picture is personal data that nobody needs
  #checkov:skip=CKV_AWS_305:There is no page, so there is no default page
  #checkov:skip=CKV_AWS_310:One bucket; its copy in the other region is for restoring
  #checkov:skip=CKV_AWS_374:The shop sells everywhere it ships to

  enabled         = true
  comment         = var.name
  aliases         = [var.domain]
  http_version    = "http2and3"
  is_ipv6_enabled = true
  # Edges in North America and Europe.
  price_class = "PriceClass_100"

  origin {
    origin_id                = "pictures"
    domain_name              = var.bucket_domain
    origin_access_control_id = aws_cloudfront_origin_access_control.this.id
  }

  default_cache_behavior {
    target_origin_id       = "pictures"
    viewer_protocol_policy = "redirect-to-https"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    compress               = true
    # AWS's own: CachingOptimized, and SecurityHeaders with nosniff.
    cache_policy_id            = "658327ea-f89d-4fab-a63d-7e88639e58f6"
    response_headers_policy_id = "67f7725c-6f97-4210-82d7-5512b31e9d03"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn      = var.certificate_arn
    ssl_support_method       = "sni-only"
    minimum_protocol_version = "TLSv1.2_2021"
  }
}
