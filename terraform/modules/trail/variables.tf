variable "name" {
  description = "Name of the trail."
  type        = string
}

variable "account_id" {
  description = "The account of AWS."
  type        = string
}

variable "region" {
  description = "Home region of the trail."
  type        = string
}

variable "bucket_name" {
  description = "Bucket of the record; made here."
  type        = string
}

variable "watched_buckets" {
  description = "Buckets of which each read and write is recorded, too."
  type        = set(string)
  default     = []
}
