variable "name" {
  description = "Name of the web ACL."
  type        = string
}

variable "requests_in_5_minutes" {
  description = "What one address may ask for in five minutes before it is refused."
  type        = number
  default     = 2000

  validation {
    condition     = var.requests_in_5_minutes >= 100 && var.requests_in_5_minutes <= 20000
    error_message = "Between 100 and 20,000: less refuses people behind one address, more refuses nobody."
  }
}

variable "key_arn" {
  description = "KMS key of the log."
  type        = string
}
