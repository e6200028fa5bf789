variable "account_id" {
  description = "The account of AWS; credentials of another one are refused."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account of AWS is twelve digits."
  }
}

variable "region" {
  description = "The region."
  type        = string
  default     = "us-east-1"
}
