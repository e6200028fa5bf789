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

variable "backup_region" {
  description = "Region that gets a copy of each image."
  type        = string
}

variable "jenkins_issuer" {
  description = "Issuer of Jenkins' identity tokens."
  type        = string
}

variable "jenkins_job" {
  description = "Address of the job of the branch main."
  type        = string
}
