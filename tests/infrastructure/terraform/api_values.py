"""What AWS takes as a value: the enumerations and operations in botocore's models of its interfaces."""

import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.session

# Attribute, by resource type and path -> service and the shape that lists what it may be.
ENUMERATIONS = {
    "aws_acm_certificate.validation_method": "acm.ValidationMethod",
    "aws_budgets_budget.budget_type": "budgets.BudgetType",
    "aws_budgets_budget.notification.comparison_operator": "budgets.ComparisonOperator",
    "aws_budgets_budget.notification.notification_type": "budgets.NotificationType",
    "aws_budgets_budget.notification.threshold_type": "budgets.ThresholdType",
    "aws_budgets_budget.time_unit": "budgets.TimeUnit",
    "aws_ce_cost_allocation_tag.status": "ce.CostAllocationTagStatus",
    "aws_cloudfront_distribution.default_cache_behavior.viewer_protocol_policy": "cloudfront.ViewerProtocolPolicy",
    "aws_cloudfront_distribution.http_version": "cloudfront.HttpVersion",
    "aws_cloudfront_distribution.price_class": "cloudfront.PriceClass",
    "aws_cloudfront_distribution.restrictions.geo_restriction.restriction_type": "cloudfront.GeoRestrictionType",
    "aws_cloudfront_distribution.viewer_certificate.minimum_protocol_version": "cloudfront.MinimumProtocolVersion",
    "aws_cloudfront_distribution.viewer_certificate.ssl_support_method": "cloudfront.SSLSupportMethod",
    "aws_cloudfront_origin_access_control.origin_access_control_origin_type": "cloudfront.OriginAccessControlOriginTypes",
    "aws_cloudfront_origin_access_control.signing_behavior": "cloudfront.OriginAccessControlSigningBehaviors",
    "aws_cloudwatch_metric_alarm.comparison_operator": "cloudwatch.ComparisonOperator",
    "aws_cloudwatch_metric_alarm.statistic": "cloudwatch.Statistic",
    "aws_db_parameter_group.parameter.apply_method": "rds.ApplyMethod",
    "aws_ecr_repository.encryption_configuration.encryption_type": "ecr.EncryptionType",
    "aws_ecr_repository.image_tag_mutability": "ecr.ImageTagMutability",
    "aws_eip.domain": "ec2.DomainType",
    "aws_eks_addon.resolve_conflicts_on_update": "eks.ResolveConflicts",
    "aws_eks_cluster.access_config.authentication_mode": "eks.AuthenticationMode",
    "aws_eks_cluster.enabled_cluster_log_types": "eks.LogType",
    "aws_eks_cluster.upgrade_policy.support_type": "eks.SupportType",
    "aws_eks_node_group.ami_type": "eks.AMITypes",
    "aws_eks_node_group.capacity_type": "eks.CapacityTypes",
    "aws_eks_node_group.instance_types": "ec2.InstanceType",
    "aws_eks_node_group.taint.effect": "eks.TaintEffect",
    "aws_elasticache_replication_group.auth_token_update_strategy": "elasticache.AuthTokenUpdateStrategyType",
    "aws_elasticache_replication_group.transit_encryption_mode": "elasticache.TransitEncryptionMode",
    "aws_flow_log.destination_options.file_format": "ec2.DestinationFileFormat",
    "aws_flow_log.log_destination_type": "ec2.LogDestinationType",
    "aws_flow_log.traffic_type": "ec2.TrafficType",
    "aws_launch_template.block_device_mappings.ebs.volume_type": "ec2.VolumeType",
    "aws_launch_template.metadata_options.http_tokens": "ec2.LaunchTemplateHttpTokensState",
    "aws_launch_template.tag_specifications.resource_type": "ec2.ResourceType",
    "aws_route53_record.type": "route53.RRType",
    "aws_s3_bucket_lifecycle_configuration.rule.status": "s3.ExpirationStatus",
    "aws_s3_bucket_lifecycle_configuration.rule.transition.storage_class": "s3.TransitionStorageClass",
    "aws_s3_bucket_object_lock_configuration.rule.default_retention.mode": "s3.ObjectLockRetentionMode",
    "aws_s3_bucket_ownership_controls.rule.object_ownership": "s3.ObjectOwnership",
    "aws_s3_bucket_replication_configuration.rule.delete_marker_replication.status": "s3.DeleteMarkerReplicationStatus",
    "aws_s3_bucket_replication_configuration.rule.destination.storage_class": "s3.StorageClass",
    "aws_s3_bucket_replication_configuration.rule.status": "s3.ReplicationRuleStatus",
    "aws_s3_bucket_server_side_encryption_configuration.rule.apply_server_side_encryption_by_default.sse_algorithm": "s3.ServerSideEncryption",
    "aws_s3_bucket_versioning.versioning_configuration.status": "s3.BucketVersioningStatus",
    "aws_serverlessapplicationrepository_cloudformation_stack.capabilities": "serverlessrepo.__listOfCapability",
    "aws_vpc_endpoint.vpc_endpoint_type": "ec2.VpcEndpointType",
    "aws_wafv2_web_acl.rule.statement.rate_based_statement.aggregate_key_type": "wafv2.RateBasedStatementAggregateKeyType",
    "aws_wafv2_web_acl.scope": "wafv2.Scope",
    "aws_wafv2_web_acl_logging_configuration.logging_filter.default_behavior": "wafv2.FilterBehavior",
    "aws_wafv2_web_acl_logging_configuration.logging_filter.filter.behavior": "wafv2.FilterBehavior",
    "aws_wafv2_web_acl_logging_configuration.logging_filter.filter.condition.action_condition.action": "wafv2.ActionValue",
    "aws_wafv2_web_acl_logging_configuration.logging_filter.filter.requirement": "wafv2.FilterRequirement",
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
ACTION = re.compile(r"([a-z0-9-]+):(\w+)(\*?)")
_SESSION = botocore.session.get_session()


def enumeration(name: str) -> list[str]:
    """Return what the shape, such as `ecr.ImageTagMutability`, may be."""
    service, shape = name.split(".")
    found = _SESSION.get_service_model(service).shape_for(shape)
    values: list[str] = getattr(found, "member", found).enum
    return values


def unknown_values(plan: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Return the values that AWS does not know, and which attributes of the table were looked at."""
    wrong, seen = set(), set()
    for resource in planned(plan):
        for path, shape in ENUMERATIONS.items():
            kind, _, attribute = path.partition(".")
            for value in (
                _at(resource["values"], attribute.split(".")) if kind == resource["type"] else ()
            ):
                seen.add(path)
                if value not in enumeration(shape):
                    wrong.add(f"{resource['address']}: {attribute} = {value}")
    return wrong, seen


def statements(plan: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each statement of the IAM and bucket policies that are known before they are made."""
    for resource in planned(plan):
        for attribute in ("policy", "assume_role_policy"):
            text = resource["values"].get(attribute)
            if isinstance(text, str) and resource["type"].startswith(
                ("aws_iam", "aws_s3", "aws_kms")
            ):
                for statement in json.loads(text)["Statement"]:
                    yield resource["address"], statement


def unknown_actions(plan: dict[str, Any]) -> set[str]:
    """Return the actions in policies that no service of AWS has."""
    actions = {
        action
        for _, statement in statements(plan)
        for action in _listed(statement["Action"])
        if not action.endswith(":*")
    }
    return {action for action in actions if not known(action)}


def known(action: str) -> bool:
    """Tell whether an action is an operation, begins operations (`kms:GenerateDataKey*`), or is listed."""
    parts = ACTION.fullmatch(action)
    if not parts:
        return False
    service = SERVICES.get(parts[1], parts[1])
    if action in PERMISSIONS:
        return True
    if service not in _SESSION.get_available_services():
        return False
    operations = _SESSION.get_service_model(service).operation_names
    return any(name.startswith(parts[2]) if parts[3] else name == parts[2] for name in operations)


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


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
