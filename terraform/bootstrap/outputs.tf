output "bucket" {
  description = "For terraform/backend.hcl."
  value       = module.state.name
}
