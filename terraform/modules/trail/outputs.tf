output "bucket" {
  description = "Where the record is."
  value       = module.bucket.name
}
