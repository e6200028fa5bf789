variable "name" {
  description = "Name of the distribution."
  type        = string
}

variable "domain" {
  description = "Host name of the pictures."
  type        = string
}

variable "bucket_domain" {
  description = "Where the bucket answers in its region."
  type        = string
}

variable "certificate_arn" {
  description = "Certificate for the domain, in us-east-1, validated."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:acm:us-east-1:", var.certificate_arn))
    error_message = "CloudFront takes certificates from us-east-1 only."
  }
}
