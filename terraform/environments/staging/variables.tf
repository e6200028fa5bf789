variable "account_id" {
  description = "The account of AWS; credentials of another one are refused."
  type        = string
}

variable "host" {
  description = "Public name of the shop."
  type        = string
}

variable "dns_zone_id" {
  description = "Hosted zone of Route 53 that the host is in."
  type        = string
}

variable "admin_role_arns" {
  description = "Roles of people who administer the cluster."
  type        = set(string)
}

variable "api_allowed_cidrs" {
  description = "Addresses outside the VPC that reach the API server, such as Jenkins'."
  type        = set(string)
}

variable "alarm_emails" {
  description = "Who gets alarms and news of the budget."
  type        = set(string)
}
