"""What AWS takes as a value: enumerations and operations in botocore's models of its services."""

import re
from collections.abc import Iterator
from typing import Any

import botocore.session

# Resource type and attribute -> service and the shape that lists what it may be.
ENUMERATIONS = {
    "aws_acm_certificate": {
        "validation_method": "acm.ValidationMethod",
    },
    "aws_budgets_budget": {
        "budget_type": "budgets.BudgetType",
        "notification.comparison_operator": "budgets.ComparisonOperator",
        "notification.notification_type": "budgets.NotificationType",
        "notification.threshold_type": "budgets.ThresholdType",
        "time_unit": "budgets.TimeUnit",
    },
    "aws_ce_cost_allocation_tag": {
        "status": "ce.CostAllocationTagStatus",
    },
    "aws_cloudfront_distribution": {
        "default_cache_behavior.viewer_protocol_policy": "cloudfront.ViewerProtocolPolicy",
        "http_version": "cloudfront.HttpVersion",
        "price_class": "cloudfront.PriceClass",
        "restrictions.geo_restriction.restriction_type": "cloudfront.GeoRestrictionType",
        "viewer_certificate.minimum_protocol_version": "cloudfront.MinimumProtocolVersion",
        "viewer_certificate.ssl_support_method": "cloudfront.SSLSupportMethod",
    },
    "aws_cloudfront_origin_access_control": {
        "origin_access_control_origin_type": "cloudfront.OriginAccessControlOriginTypes",
        "signing_behavior": "cloudfront.OriginAccessControlSigningBehaviors",
    },
    "aws_cloudwatch_metric_alarm": {
        "comparison_operator": "cloudwatch.ComparisonOperator",
        "statistic": "cloudwatch.Statistic",
    },
    "aws_db_parameter_group": {
        "parameter.apply_method": "rds.ApplyMethod",
    },
    "aws_ecr_repository": {
        "encryption_configuration.encryption_type": "ecr.EncryptionType",
        "image_tag_mutability": "ecr.ImageTagMutability",
    },
    "aws_eip": {
        "domain": "ec2.DomainType",
    },
    "aws_eks_addon": {
        "resolve_conflicts_on_update": "eks.ResolveConflicts",
    },
    "aws_eks_cluster": {
        "access_config.authentication_mode": "eks.AuthenticationMode",
        "enabled_cluster_log_types": "eks.LogType",
        "upgrade_policy.support_type": "eks.SupportType",
    },
    "aws_eks_node_group": {
        "ami_type": "eks.AMITypes",
        "capacity_type": "eks.CapacityTypes",
        "instance_types": "ec2.InstanceType",
        "taint.effect": "eks.TaintEffect",
    },
    "aws_elasticache_replication_group": {
        "auth_token_update_strategy": "elasticache.AuthTokenUpdateStrategyType",
        "transit_encryption_mode": "elasticache.TransitEncryptionMode",
    },
    "aws_flow_log": {
        "destination_options.file_format": "ec2.DestinationFileFormat",
        "log_destination_type": "ec2.LogDestinationType",
        "traffic_type": "ec2.TrafficType",
    },
    "aws_launch_template": {
        "block_device_mappings.ebs.volume_type": "ec2.VolumeType",
        "metadata_options.http_tokens": "ec2.LaunchTemplateHttpTokensState",
        "tag_specifications.resource_type": "ec2.ResourceType",
    },
    "aws_route53_record": {
        "type": "route53.RRType",
    },
    "aws_s3_bucket_lifecycle_configuration": {
        "rule.status": "s3.ExpirationStatus",
        "rule.transition.storage_class": "s3.TransitionStorageClass",
    },
    "aws_s3_bucket_object_lock_configuration": {
        "rule.default_retention.mode": "s3.ObjectLockRetentionMode",
    },
    "aws_s3_bucket_ownership_controls": {
        "rule.object_ownership": "s3.ObjectOwnership",
    },
    "aws_s3_bucket_replication_configuration": {
        "rule.delete_marker_replication.status": "s3.DeleteMarkerReplicationStatus",
        "rule.destination.storage_class": "s3.StorageClass",
        "rule.status": "s3.ReplicationRuleStatus",
    },
    "aws_s3_bucket_server_side_encryption_configuration": {
        "rule.apply_server_side_encryption_by_default.sse_algorithm": "s3.ServerSideEncryption",
    },
    "aws_s3_bucket_versioning": {
        "versioning_configuration.status": "s3.BucketVersioningStatus",
    },
    "aws_serverlessapplicationrepository_cloudformation_stack": {
        "capabilities": "serverlessrepo.__listOfCapability",
    },
    "aws_vpc_endpoint": {
        "vpc_endpoint_type": "ec2.VpcEndpointType",
    },
    "aws_wafv2_web_acl": {
        "scope": "wafv2.Scope",
    },
    "aws_wafv2_web_acl_logging_configuration": {
        "logging_filter.default_behavior": "wafv2.FilterBehavior",
        "logging_filter.filter.behavior": "wafv2.FilterBehavior",
        "logging_filter.filter.condition.action_condition.action": "wafv2.ActionValue",
        "logging_filter.filter.requirement": "wafv2.FilterRequirement",
    },
}
# Prefix of an IAM action -> the service as botocore calls it, where the two differ.
SERVICES = {"elasticloadbalancing": "elbv2"}
# Actions of IAM that are no operation of the interface; from AWS's Service Authorization Reference.
PERMISSIONS = {
    "elasticloadbalancing:SetWebACL",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionTagging",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
    "s3:ReplicateTags",
}
# Not a key of a condition, which is followed by "=", and not one of `aws:`.
ACTION = re.compile(r'"((?!aws:)[a-z0-9-]+:)([A-Z]\w*\*?)"(?!\s*=)')
_SESSION = botocore.session.get_session()


def enumeration(name: str) -> list[str]:
    """Return what the shape, such as `ecr.ImageTagMutability`, may be."""
    service, shape = name.split(".")
    found = _SESSION.get_service_model(service).shape_for(shape)
    values: list[str] = getattr(found, "member", found).enum
    return values


def unknown_values(plan: dict[str, Any]) -> tuple[set[str], set[tuple[str, str]]]:
    """Return the values that AWS does not know, and the attributes that were looked at."""
    wrong: set[str] = set()
    seen: set[tuple[str, str]] = set()
    for resource in planned(plan):
        kind = resource["type"]
        for attribute, shape in ENUMERATIONS.get(kind, {}).items():
            for value in _at(resource["values"], attribute.split(".")):
                seen.add((kind, attribute))
                if value not in enumeration(shape):
                    wrong.add(f"{resource['address']}: {attribute} = {value}")
    return wrong, seen


def actions(text: str) -> set[str]:
    """Return the actions of IAM that a configuration names."""
    return {"".join(found.groups()) for found in ACTION.finditer(text)}


def known(action: str) -> bool:
    """Tell whether an action is listed, is an operation, or begins some (`kms:ReEncrypt*`)."""
    prefix, _, name = action.partition(":")
    service = SERVICES.get(prefix, prefix)
    if action in PERMISSIONS or service not in _SESSION.get_available_services():
        return action in PERMISSIONS
    operations = _SESSION.get_service_model(service).operation_names
    if name.endswith("*"):
        return any(operation.startswith(name[:-1]) for operation in operations)
    return name in operations


def planned(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the managed resources of a plan, whatever module they are in."""

    def inside(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield from (one for one in module.get("resources", ()) if one["mode"] == "managed")
        for child in module.get("child_modules", ()):
            yield from inside(child)

    yield from inside(plan["planned_values"]["root_module"])


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for one in value:
            yield from _at(one, path)
    elif path and isinstance(value, dict):
        yield from _at(value.get(path[0]), path[1:])
    elif not path and value is not None:
        yield value
