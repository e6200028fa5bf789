# Names and certificates: the shop's host, and the host of the pictures beside it.

locals {
  pictures_host = "pictures.${var.host}"
}

resource "aws_acm_certificate" "this" {
  domain_name               = var.host
  subject_alternative_names = [local.pictures_host]
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = toset([var.host, local.pictures_host])

  zone_id         = var.dns_zone_id
  name            = local.validation[each.key].resource_record_name
  type            = local.validation[each.key].resource_record_type
  records         = [local.validation[each.key].resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

locals {
  validation = { for option in aws_acm_certificate.this.domain_validation_options : option.domain_name => option }
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [for record in aws_route53_record.validation : record.fqdn]
}

module "pictures" {
  source = "../pictures"

  name            = "${local.name}-pictures"
  domain          = local.pictures_host
  bucket_domain   = module.products.domain
  certificate_arn = aws_acm_certificate_validation.this.certificate_arn
}

resource "aws_route53_record" "pictures" {
  for_each = toset(["A", "AAAA"])

  zone_id = var.dns_zone_id
  name    = local.pictures_host
  type    = each.key

  alias {
    name                   = module.pictures.address.name
    zone_id                = module.pictures.address.zone_id
    evaluate_target_health = false
  }
}
