SET 'pipeline.global-job-parameters' = 'millrace.fingerprint:c718b911a0e19cee93b1532ebd42a3dc1dbf31125b855abd401a4da58d3b13a2';

SET 'pipeline.name' = 'filtered';

SET 'execution.checkpointing.dir' = 'file:///millrace/checkpoints/filtered';

SET 'execution.checkpointing.interval' = '400 ms';

SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';

SET 'execution.checkpointing.externalized-checkpoint-retention' = 'RETAIN_ON_CANCELLATION';

SET 'table.local-time-zone' = 'UTC';

SET 'pipeline.object-reuse' = 'true';

SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE';

SET 'parallelism.default' = '1';

CREATE TEMPORARY FUNCTION `DECODE_JSON` AS 'io.millrace.flink.DecodeJson';

CREATE TEMPORARY FUNCTION `PARSE_RFC3339` AS 'io.millrace.flink.ParseRfc3339';

CREATE TEMPORARY FUNCTION `WITH_WATERMARK` AS 'io.millrace.flink.WithWatermark';

CREATE TEMPORARY FUNCTION `LAST_WINDOW_END` AS 'io.millrace.flink.LastWindowEnd';

CREATE TEMPORARY FUNCTION `CLOSED_WINDOWS` AS 'io.millrace.flink.ClosedWindows';

CREATE TEMPORARY FUNCTION `FINITE` AS 'io.millrace.flink.Finite';

CREATE TEMPORARY FUNCTION `FIRST_BY_TIME` AS 'io.millrace.flink.FirstByTime';

CREATE TEMPORARY FUNCTION `LAST_BY_TIME` AS 'io.millrace.flink.LastByTime';

CREATE TEMPORARY FUNCTION `HEADER` AS 'io.millrace.flink.Header';

CREATE TEMPORARY FUNCTION `UNPACK_HEADERS` AS 'io.millrace.flink.UnpackHeaders';

CREATE TEMPORARY FUNCTION `OFFSET_RANGES` AS 'io.millrace.flink.OffsetRanges';

CREATE TEMPORARY TABLE `records` (
  `record_key` BYTES,
  `record_value` BYTES,
  `record_headers` BYTES,
  `record_partition` INT,
  `record_offset` BIGINT,
  `record_timestamp` TIMESTAMP_LTZ(3),
  `watermark` TIMESTAMP_LTZ(3),
  `rowtime` AS CASE WHEN DECODE_JSON(`record_value`, 'ROW<`customer` STRING NOT NULL, `amount` DOUBLE NOT NULL, `items` BIGINT NOT NULL, `gift` BOOLEAN NOT NULL, `at` TIMESTAMP_LTZ(3) NOT NULL, `coupon` STRING, `shippedAt` TIMESTAMP_LTZ(3)>').`at` <= `record_timestamp` + INTERVAL '0 01:00:00.000' DAY TO SECOND(3) THEN DECODE_JSON(`record_value`, 'ROW<`customer` STRING NOT NULL, `amount` DOUBLE NOT NULL, `items` BIGINT NOT NULL, `gift` BOOLEAN NOT NULL, `at` TIMESTAMP_LTZ(3) NOT NULL, `coupon` STRING, `shippedAt` TIMESTAMP_LTZ(3)>').`at` ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `rowtime` AS `rowtime` - INTERVAL '0 00:00:02.000' DAY TO SECOND(3)
) WITH (
  'connector' = 'millrace-records',
  'topic' = 'order.placed',
  'properties.bootstrap.servers' = 'localhost:9092,localhost:9192',
  'properties.security.protocol' = 'SASL_SSL',
  'properties.sasl.mechanism' = 'SCRAM-SHA-512',
  'properties.ssl.truststore.type' = 'PEM',
  'properties.ssl.truststore.location' = '/millrace/certificates/ca.pem',
  'properties.group.id' = 'flink-filtered',
  'properties.isolation.level' = 'read_committed',
  'scan.watermark.emit.strategy' = 'on-event'
);

CREATE TEMPORARY TABLE `results` (
  `record_key` BYTES,
  `customer` STRING,
  `windowStart` TIMESTAMP_LTZ(3),
  `windowEnd` TIMESTAMP_LTZ(3),
  `orders` BIGINT,
  `record_headers` MAP<STRING, BYTES> METADATA FROM 'headers'
) WITH (
  'connector' = 'kafka',
  'topic' = 'filtered',
  'properties.bootstrap.servers' = 'localhost:9092,localhost:9192',
  'properties.security.protocol' = 'SASL_SSL',
  'properties.sasl.mechanism' = 'SCRAM-SHA-512',
  'properties.ssl.truststore.type' = 'PEM',
  'properties.ssl.truststore.location' = '/millrace/certificates/ca.pem',
  'properties.transaction.timeout.ms' = '900000',
  'properties.linger.ms' = '200',
  'properties.batch.size' = '131072',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-filtered:results',
  'sink.transaction-naming-strategy' = 'POOLING',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.format' = 'json',
  'value.json.timestamp-format.standard' = 'ISO-8601',
  'value.json.encode.ignore-null-fields' = 'true'
);

CREATE TEMPORARY TABLE `accounts` (
  `record_partition` INT,
  `record_offset` BIGINT,
  `outcome` STRING,
  `account_time` TIMESTAMP_LTZ(3)
) WITH (
  'connector' = 'millrace-accounts',
  'topic' = 'millrace-accounts',
  'properties.bootstrap.servers' = 'localhost:9092,localhost:9192',
  'properties.security.protocol' = 'SASL_SSL',
  'properties.sasl.mechanism' = 'SCRAM-SHA-512',
  'properties.ssl.truststore.type' = 'PEM',
  'properties.ssl.truststore.location' = '/millrace/certificates/ca.pem',
  'properties.transaction.timeout.ms' = '900000',
  'properties.linger.ms' = '200',
  'properties.batch.size' = '131072',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-filtered:accounts',
  'sink.transaction-naming-strategy' = 'POOLING',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.format' = 'json',
  'reader' = 'flink/filtered',
  'of' = 'order.placed'
);

CREATE TEMPORARY TABLE `dead_letters` (
  `record_key` BYTES,
  `record_value` BYTES,
  `record_headers` MAP<STRING, BYTES> METADATA FROM 'headers'
) WITH (
  'connector' = 'kafka',
  'topic' = 'order.placed.dlq',
  'properties.bootstrap.servers' = 'localhost:9092,localhost:9192',
  'properties.security.protocol' = 'SASL_SSL',
  'properties.sasl.mechanism' = 'SCRAM-SHA-512',
  'properties.ssl.truststore.type' = 'PEM',
  'properties.ssl.truststore.location' = '/millrace/certificates/ca.pem',
  'properties.transaction.timeout.ms' = '900000',
  'properties.linger.ms' = '200',
  'properties.batch.size' = '131072',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-filtered:dead_letters',
  'sink.transaction-naming-strategy' = 'POOLING',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.format' = 'raw'
);

CREATE TEMPORARY TABLE `late_events` (
  `record_key` BYTES,
  `record_value` BYTES,
  `record_headers` MAP<STRING, BYTES> METADATA FROM 'headers'
) WITH (
  'connector' = 'kafka',
  'topic' = 'filtered.late',
  'properties.bootstrap.servers' = 'localhost:9092,localhost:9192',
  'properties.security.protocol' = 'SASL_SSL',
  'properties.sasl.mechanism' = 'SCRAM-SHA-512',
  'properties.ssl.truststore.type' = 'PEM',
  'properties.ssl.truststore.location' = '/millrace/certificates/ca.pem',
  'properties.transaction.timeout.ms' = '900000',
  'properties.linger.ms' = '200',
  'properties.batch.size' = '131072',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-filtered:late_events',
  'sink.transaction-naming-strategy' = 'POOLING',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.format' = 'raw'
);

CREATE TEMPORARY VIEW `decoded` AS SELECT
  `record_key`,
  `record_value`,
  `record_headers`,
  `record_partition`,
  `record_offset`,
  `record_timestamp`,
  `watermark`,
  `rowtime`,
  (HEADER(`record_headers`, 'millrace_replay_for') IS NULL OR DECODE(HEADER(`record_headers`, 'millrace_replay_for'), 'UTF-8') = 'flink/filtered') AS `is_addressed`,
  COALESCE(PARSE_RFC3339(HEADER(`record_headers`, 'millrace_event_time')), PARSE_RFC3339(HEADER(`record_headers`, 'ce_time')), `record_timestamp`) AS `account_time`,
  DECODE_JSON(`record_value`, 'ROW<`customer` STRING NOT NULL, `amount` DOUBLE NOT NULL, `items` BIGINT NOT NULL, `gift` BOOLEAN NOT NULL, `at` TIMESTAMP_LTZ(3) NOT NULL, `coupon` STRING, `shippedAt` TIMESTAMP_LTZ(3)>') AS `event`,
  DECODE_JSON(`record_value`, 'ROW<`customer` STRING NOT NULL, `amount` DOUBLE NOT NULL, `items` BIGINT NOT NULL, `gift` BOOLEAN NOT NULL, `at` TIMESTAMP_LTZ(3) NOT NULL, `coupon` STRING, `shippedAt` TIMESTAMP_LTZ(3)>').`at` AS `event_time`
FROM `records`;

CREATE TEMPORARY VIEW `timed` AS SELECT * FROM `decoded`;

CREATE TEMPORARY VIEW `judged` AS SELECT *, CASE
  WHEN NOT `is_addressed` THEN 'not-addressed'
  WHEN `event` IS NULL OR (`event_time` <= `record_timestamp` + INTERVAL '0 01:00:00.000' DAY TO SECOND(3)) IS NOT TRUE THEN 'dead-lettered'
  WHEN ((((((`event`.`amount` > 0) AND (`event`.`amount` <= 9.95e+1)) OR (`event`.`items` >= 3)) AND ((NOT (`event`.`gift` = TRUE)) OR (`event`.`coupon` IS NULL))) AND ((`event`.`customer` <> 'd''Arc `ü` -- 東京') AND (`event`.`at` >= TO_TIMESTAMP_LTZ(-14182939500, 3)))) AND ((NOT (`event`.`coupon` < `event`.`customer`)) OR (`event`.`shippedAt` > `event`.`at`))) IS NOT TRUE THEN 'filtered'
  WHEN COALESCE(LAST_WINDOW_END(`event_time`, 900000, 900000) - INTERVAL '0 00:00:00.001' DAY TO SECOND(3) <= `watermark`, FALSE) THEN 'late'
  ELSE 'processed'
END AS `outcome`
FROM `timed`;

CREATE TEMPORARY VIEW `grouped` AS SELECT `rowtime`, `event`, `event_time`, `record_partition`, `record_offset`, `outcome`, `event`.`customer` AS `_customer`
FROM `judged` WHERE `outcome` = 'processed' OR `outcome` = 'filtered' AND NOT COALESCE(LAST_WINDOW_END(`event_time`, 900000, 900000) - INTERVAL '0 00:00:00.001' DAY TO SECOND(3) <= `watermark`, FALSE);

CREATE TEMPORARY VIEW `counted` AS SELECT `record_partition`, `record_offset`, `outcome`, `account_time` FROM `judged`;

EXECUTE STATEMENT SET BEGIN
INSERT INTO `results` SELECT
  ENCODE(`_customer`, 'UTF-8'),
  `_customer`,
  CAST(`window_start` AS TIMESTAMP_LTZ(3)),
  CAST(`window_end` AS TIMESTAMP_LTZ(3)),
  `_orders`,
  MAP[
    'ce_specversion', ENCODE('1.0', 'UTF-8'),
    'ce_id', ENCODE(COALESCE(URL_ENCODE(`_customer`), '~') || '/' || DATE_FORMAT(CAST(`window_start` AS TIMESTAMP(3)), 'uuuu-MM-dd''T''HH:mm:ss.SSS''Z'''), 'UTF-8'),
    'ce_source', ENCODE('/pipelines/filtered', 'UTF-8'),
    'ce_type', ENCODE('filtered', 'UTF-8'),
    'ce_time', ENCODE(DATE_FORMAT(CAST(`window_end` AS TIMESTAMP(3)), 'uuuu-MM-dd''T''HH:mm:ss.SSS''Z'''), 'UTF-8'),
    'ce_dataschema', ENCODE('https://localhost:8443/apis/ccompat/v7/schemas/ids/7', 'UTF-8'),
    'ce_revision', ENCODE('1', 'UTF-8'),
    'ce_counted', ENCODE(CAST(`counted` AS STRING), 'UTF-8'),
    'ce_late', ENCODE('0', 'UTF-8'),
    'ce_filtered', ENCODE(CAST(`filtered` AS STRING), 'UTF-8'),
    'ce_offsets', ENCODE(`offsets`, 'UTF-8'),
    'content-type', ENCODE('application/json', 'UTF-8')
  ]
FROM (
SELECT
  `window_start`,
  `window_end`,
  `_customer`,
  COUNT(*) FILTER (WHERE `outcome` = 'processed') AS `_orders`,
  COUNT(*) FILTER (WHERE `outcome` = 'processed') AS `counted`,
  COUNT(*) FILTER (WHERE `outcome` = 'filtered') AS `filtered`,
  OFFSET_RANGES(`record_partition`, `record_offset`) FILTER (WHERE `outcome` = 'processed') AS `offsets`
FROM TABLE(TUMBLE(TABLE `grouped`, DESCRIPTOR(`rowtime`), INTERVAL '0 00:15:00.000' DAY TO SECOND(3)))
GROUP BY `window_start`, `window_end`, `_customer`
) WHERE `counted` > 0;
INSERT INTO `accounts` SELECT * FROM `counted`;
INSERT INTO `dead_letters` SELECT `record_key`, `record_value`, MAP_UNION(UNPACK_HEADERS(`record_headers`), MAP[
    'millrace_dlq_by', ENCODE('flink/filtered', 'UTF-8'),
    'millrace_dlq_reason', ENCODE(CASE WHEN `event` IS NULL THEN 'malformed' WHEN `event_time` IS NULL THEN 'malformed' ELSE 'too-far-ahead' END, 'UTF-8'),
    'millrace_dlq_detail', ENCODE(CASE WHEN `event` IS NULL THEN 'the value is not JSON of its event type' WHEN `event_time` IS NULL THEN 'the event has no time' ELSE 'the time of the event is further ahead of when it was stored than the pipeline takes' END, 'UTF-8'),
    'millrace_origin_topic', ENCODE('order.placed', 'UTF-8'),
    'millrace_origin_partition', ENCODE(CAST(`record_partition` AS STRING), 'UTF-8'),
    'millrace_origin_offset', ENCODE(CAST(`record_offset` AS STRING), 'UTF-8')
  ])
FROM `judged` WHERE `outcome` = 'dead-lettered';
INSERT INTO `late_events` SELECT `record_key`, `record_value`, MAP_UNION(UNPACK_HEADERS(`record_headers`), MAP[
    'millrace_pipeline', ENCODE('filtered', 'UTF-8'),
    'millrace_window_end', ENCODE(DATE_FORMAT(CAST(LAST_WINDOW_END(`event_time`, 900000, 900000) AS TIMESTAMP(3)), 'uuuu-MM-dd''T''HH:mm:ss.SSS''Z'''), 'UTF-8'),
    'millrace_watermark', ENCODE(DATE_FORMAT(CAST(`watermark` AS TIMESTAMP(3)), 'uuuu-MM-dd''T''HH:mm:ss.SSS''Z'''), 'UTF-8'),
    'millrace_origin_topic', ENCODE('order.placed', 'UTF-8'),
    'millrace_origin_partition', ENCODE(CAST(`record_partition` AS STRING), 'UTF-8'),
    'millrace_origin_offset', ENCODE(CAST(`record_offset` AS STRING), 'UTF-8')
  ])
FROM `judged` WHERE `outcome` = 'late';
END;

