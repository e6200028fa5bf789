variable "name" {
  description = "Name of the bucket; unique in all of S3."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "The name of a bucket has 3 to 63 lower-case letters, digits and hyphens."
  }
}

variable "region" {
  description = "Region of the bucket; null for the provider's."
  type        = string
  default     = null
}

variable "key" {
  description = "KMS key that encrypts the objects; null for AES-256 with a key of S3's own."
  type        = object({ arn = string })
  default     = null
}

variable "former_versions_days" {
  description = "How long a version is kept after it was overwritten or deleted."
  type        = number
  default     = 90

  validation {
    condition     = var.former_versions_days >= 7
    error_message = "A mistake needs a week to be noticed: keep former versions for 7 days at least."
  }
}

variable "archive_after_days" {
  description = "When an object becomes cheaper to keep and dearer to read; null for never."
  type        = number
  default     = null

  validation {
    condition     = coalesce(var.archive_after_days, 30) >= 30
    error_message = "S3 moves no object to infrequent access before 30 days."
  }
}

variable "expire_after_days" {
  description = "When an object is deleted; null for never."
  type        = number
  default     = null
}

variable "locked_days" {
  description = "How long nobody may overwrite or delete a version; null for no lock. Fixed when the bucket is made."
  type        = number
  default     = null
}

variable "upload_origins" {
  description = "Origins of pages that may send forms to the bucket; empty for none."
  type        = list(string)
  default     = []
}

variable "access_logs_bucket" {
  description = "Bucket that keeps who read and wrote; null for none."
  type        = string
  default     = null
}

variable "services" {
  description = "Further statements of the bucket's policy: what services of AWS may do."
  type        = any
  default     = []
}
