#!/usr/bin/env bash
# Generated from the catalogue by `npm run generate`. BOOTSTRAP: brokers; ADMIN: a file with the operator's login, if there is one.
set -euo pipefail
options=(--bootstrap-server "${BOOTSTRAP:?set BOOTSTRAP to host:port,…}")
[ -z "${ADMIN:-}" ] || options+=(--command-config "$ADMIN")

kafka-acls.sh "${options[@]}" --add --allow-principal User:flag-service --operation Write --operation DescribeConfigs --topic tidegate.audit.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:flag-service --operation Read --operation Write --operation DescribeConfigs --topic tidegate.dead-letter --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:flag-service --operation Read --operation DescribeConfigs --topic tidegate.flag.commands --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:flag-service --operation Read --operation Write --operation DescribeConfigs --topic tidegate.flag.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:flag-service --operation Read --operation Write --operation Create --operation DescribeConfigs --topic tidegate.flag.state. --resource-pattern-type prefixed
kafka-acls.sh "${options[@]}" --add --allow-principal User:flag-service --operation Read --operation DescribeConfigs --topic tidegate.gatekeeper.heartbeats --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:flag-service --operation Read --operation DescribeConfigs --topic tidegate.kills --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:flag-service --operation Read --operation Write --operation DescribeConfigs --topic tidegate.replays --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:flag-service --operation Read --operation Write --operation DescribeConfigs --topic tidegate.sdk.heartbeats --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:flag-service --operation Read --group tidegate.flag-service --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:flag-service --operation Read --group tidegate.flag-service. --resource-pattern-type prefixed
kafka-acls.sh "${options[@]}" --add --allow-principal User:flag-service --operation Read --group tidegate.view. --resource-pattern-type prefixed
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Write --operation DescribeConfigs --topic tidegate.audit.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Read --operation Write --operation DescribeConfigs --topic tidegate.dead-letter --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Write --operation DescribeConfigs --topic tidegate.flag.commands --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Read --operation DescribeConfigs --topic tidegate.flag.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Write --operation DescribeConfigs --topic tidegate.gatekeeper.heartbeats --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Read --operation Write --operation DescribeConfigs --topic tidegate.kills --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Read --operation Write --operation DescribeConfigs --topic tidegate.metric.breaches --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Write --operation DescribeConfigs --topic tidegate.migration.commands --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Read --operation DescribeConfigs --topic tidegate.migration.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Read --operation Write --operation DescribeConfigs --topic tidegate.replays --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Read --operation DescribeConfigs --topic tidegate.rollout.commands --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Read --operation Write --operation DescribeConfigs --topic tidegate.rollout.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Read --operation Write --operation DescribeConfigs --topic tidegate.signals --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Read --group tidegate.metrics-gatekeeper --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Read --group tidegate.metrics-gatekeeper. --resource-pattern-type prefixed
kafka-acls.sh "${options[@]}" --add --allow-principal User:metrics-gatekeeper --operation Read --group tidegate.view. --resource-pattern-type prefixed
kafka-acls.sh "${options[@]}" --add --allow-principal User:migration-runner --operation Write --operation DescribeConfigs --topic tidegate.audit.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:migration-runner --operation Read --operation Write --operation DescribeConfigs --topic tidegate.dead-letter --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:migration-runner --operation Read --operation DescribeConfigs --topic tidegate.kills --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:migration-runner --operation Read --operation DescribeConfigs --topic tidegate.migration.commands --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:migration-runner --operation Write --operation DescribeConfigs --topic tidegate.migration.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:migration-runner --operation Read --operation Write --operation DescribeConfigs --topic tidegate.replays --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:migration-runner --operation Read --operation DescribeConfigs --topic tidegate.rollout.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:migration-runner --operation Read --group tidegate.migration-runner --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:migration-runner --operation Read --group tidegate.migration-runner. --resource-pattern-type prefixed
kafka-acls.sh "${options[@]}" --add --allow-principal User:migration-runner --operation Read --group tidegate.view. --resource-pattern-type prefixed
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation Write --operation DescribeConfigs --topic tidegate.audit.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Write --operation DescribeConfigs --topic tidegate.audit.seals --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation Write --operation DescribeConfigs --topic tidegate.dead-letter --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation DescribeConfigs --topic tidegate.flag.commands --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation DescribeConfigs --topic tidegate.flag.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation DescribeConfigs --topic tidegate.kills --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation DescribeConfigs --topic tidegate.metric.breaches --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation DescribeConfigs --topic tidegate.migration.commands --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation DescribeConfigs --topic tidegate.migration.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation DescribeConfigs --topic tidegate.notification.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation Write --operation DescribeConfigs --topic tidegate.replays --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation DescribeConfigs --topic tidegate.rollout.commands --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation DescribeConfigs --topic tidegate.rollout.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --operation DescribeConfigs --topic tidegate.signals --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --group tidegate.audit-sink --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --group tidegate.audit-sink. --resource-pattern-type prefixed
kafka-acls.sh "${options[@]}" --add --allow-principal User:audit-sink --operation Read --group tidegate.view. --resource-pattern-type prefixed
kafka-acls.sh "${options[@]}" --add --allow-principal User:notifier --operation Write --operation DescribeConfigs --topic tidegate.audit.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:notifier --operation Read --operation Write --operation DescribeConfigs --topic tidegate.dead-letter --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:notifier --operation Read --operation DescribeConfigs --topic tidegate.flag.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:notifier --operation Read --operation DescribeConfigs --topic tidegate.migration.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:notifier --operation Write --operation DescribeConfigs --topic tidegate.notification.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:notifier --operation Read --operation Write --operation DescribeConfigs --topic tidegate.replays --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:notifier --operation Read --operation DescribeConfigs --topic tidegate.rollout.events --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:notifier --operation Read --group tidegate.notifier --resource-pattern-type literal
kafka-acls.sh "${options[@]}" --add --allow-principal User:notifier --operation Read --group tidegate.notifier. --resource-pattern-type prefixed
kafka-acls.sh "${options[@]}" --add --allow-principal User:notifier --operation Read --group tidegate.view. --resource-pattern-type prefixed
