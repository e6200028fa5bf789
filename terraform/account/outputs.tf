output "repository" {
  description = "The image's name without tag."
  value       = module.registry.url
}

output "pipeline_role_arn" {
  description = "For config/pipeline/environments.toml and for the environments."
  value       = module.pipeline.role_arn
}

output "trail_bucket" {
  description = "Where the record of API calls is."
  value       = module.trail.bucket
}
