SET 'pipeline.global-job-parameters' = 'millrace.fingerprint:8878f19e23f03a5ed93c3865b8917c87586c476ff4da0ba9ef0448d94ba53059';

SET 'pipeline.name' = 'spread';

SET 'execution.checkpointing.dir' = 'file:///millrace/checkpoints/spread';

SET 'execution.checkpointing.interval' = '400 ms';

SET 'execution.checkpointing.mode' = 'EXACTLY_ONCE';

SET 'execution.checkpointing.externalized-checkpoint-retention' = 'RETAIN_ON_CANCELLATION';

SET 'table.local-time-zone' = 'UTC';

SET 'pipeline.object-reuse' = 'true';

SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE';

SET 'parallelism.default' = '4';

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
  `rowtime` AS CASE WHEN DECODE_JSON(`record_value`, 'ROW<`customer` STRING NOT NULL, `amount` DOUBLE NOT NULL, `items` BIGINT NOT NULL, `gift` BOOLEAN NOT NULL, `at` TIMESTAMP_LTZ(3) NOT NULL, `coupon` STRING, `shippedAt` TIMESTAMP_LTZ(3)>').`at` <= `record_timestamp` + INTERVAL '0 01:00:00.000' DAY TO SECOND(3) THEN DECODE_JSON(`record_value`, 'ROW<`customer` STRING NOT NULL, `amount` DOUBLE NOT NULL, `items` BIGINT NOT NULL, `gift` BOOLEAN NOT NULL, `at` TIMESTAMP_LTZ(3) NOT NULL, `coupon` STRING, `shippedAt` TIMESTAMP_LTZ(3)>').`at` ELSE TO_TIMESTAMP_LTZ(-62167219200000, 3) END,
  WATERMARK FOR `rowtime` AS `rowtime` - INTERVAL '0 00:05:00.000' DAY TO SECOND(3)
) WITH (
  'connector' = 'millrace-records',
  'topic' = 'order.placed',
  'properties.bootstrap.servers' = 'localhost:9092,localhost:9192',
  'properties.security.protocol' = 'SASL_SSL',
  'properties.sasl.mechanism' = 'SCRAM-SHA-512',
  'properties.ssl.truststore.type' = 'PEM',
  'properties.ssl.truststore.location' = '/millrace/certificates/ca.pem',
  'properties.group.id' = 'flink-spread',
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
  'topic' = 'spread',
  'properties.bootstrap.servers' = 'localhost:9092,localhost:9192',
  'properties.security.protocol' = 'SASL_SSL',
  'properties.sasl.mechanism' = 'SCRAM-SHA-512',
  'properties.ssl.truststore.type' = 'PEM',
  'properties.ssl.truststore.location' = '/millrace/certificates/ca.pem',
  'properties.transaction.timeout.ms' = '900000',
  'properties.linger.ms' = '200',
  'properties.batch.size' = '131072',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-spread:results',
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
  'sink.transactional-id-prefix' = 'millrace-spread:accounts',
  'sink.transaction-naming-strategy' = 'POOLING',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.fields-include' = 'EXCEPT_KEY',
  'value.format' = 'json',
  'reader' = 'flink/spread',
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
  'sink.transactional-id-prefix' = 'millrace-spread:dead_letters',
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
  'topic' = 'spread.late',
  'properties.bootstrap.servers' = 'localhost:9092,localhost:9192',
  'properties.security.protocol' = 'SASL_SSL',
  'properties.sasl.mechanism' = 'SCRAM-SHA-512',
  'properties.ssl.truststore.type' = 'PEM',
  'properties.ssl.truststore.location' = '/millrace/certificates/ca.pem',
  'properties.transaction.timeout.ms' = '900000',
  'properties.linger.ms' = '200',
  'properties.batch.size' = '131072',
  'sink.delivery-guarantee' = 'exactly-once',
  'sink.transactional-id-prefix' = 'millrace-spread:late_events',
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
  `rowtime`,
  (HEADER(`record_headers`, 'millrace_replay_for') IS NULL OR DECODE(HEADER(`record_headers`, 'millrace_replay_for'), 'UTF-8') = 'flink/spread') AS `is_addressed`,
  COALESCE(PARSE_RFC3339(HEADER(`record_headers`, 'millrace_event_time')), PARSE_RFC3339(HEADER(`record_headers`, 'ce_time')), `record_timestamp`) AS `account_time`,
  DECODE_JSON(`record_value`, 'ROW<`customer` STRING NOT NULL, `amount` DOUBLE NOT NULL, `items` BIGINT NOT NULL, `gift` BOOLEAN NOT NULL, `at` TIMESTAMP_LTZ(3) NOT NULL, `coupon` STRING, `shippedAt` TIMESTAMP_LTZ(3)>') AS `event`,
  DECODE_JSON(`record_value`, 'ROW<`customer` STRING NOT NULL, `amount` DOUBLE NOT NULL, `items` BIGINT NOT NULL, `gift` BOOLEAN NOT NULL, `at` TIMESTAMP_LTZ(3) NOT NULL, `coupon` STRING, `shippedAt` TIMESTAMP_LTZ(3)>').`at` AS `event_time`
FROM `records`;

CREATE TEMPORARY VIEW `timed` AS SELECT * FROM WITH_WATERMARK(`input` => TABLE `decoded`, `on_time` => DESCRIPTOR(`rowtime`));

CREATE TEMPORARY VIEW `judged` AS SELECT *, CASE
  WHEN NOT `is_addressed` THEN 'not-addressed'
  WHEN `event` IS NULL OR (`event_time` <= `record_timestamp` + INTERVAL '0 01:00:00.000' DAY TO SECOND(3)) IS NOT TRUE THEN 'dead-lettered'
  WHEN COALESCE(LAST_WINDOW_END(`event_time`, 3600000, 3600000) - INTERVAL '0 00:00:00.001' DAY TO SECOND(3) <= `watermark`, FALSE) THEN 'late'
  ELSE 'processed'
END AS `outcome`
FROM `timed`;

CREATE TEMPORARY VIEW `grouped` AS SELECT `rowtime`, `event`, `event_time`, `record_partition`, `record_offset`, `outcome`, `event`.`customer` AS `_customer`
FROM `judged` WHERE `outcome` = 'processed';

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
    'ce_source', ENCODE('/pipelines/spread', 'UTF-8'),
    'ce_type', ENCODE('spread', 'UTF-8'),
    'ce_time', ENCODE(DATE_FORMAT(CAST(`window_end` AS TIMESTAMP(3)), 'uuuu-MM-dd''T''HH:mm:ss.SSS''Z'''), 'UTF-8'),
    'ce_dataschema', ENCODE('https://localhost:8443/apis/ccompat/v7/schemas/ids/7', 'UTF-8'),
    'ce_revision', ENCODE('1', 'UTF-8'),
    'ce_counted', ENCODE(CAST(`counted` AS STRING), 'UTF-8'),
    'ce_late', ENCODE('0', 'UTF-8'),
    'ce_filtered', ENCODE('0', 'UTF-8'),
    'ce_offsets', ENCODE(`offsets`, 'UTF-8'),
    'content-type', ENCODE('application/json', 'UTF-8')
  ]
FROM (
SELECT
  `window_start`,
  `window_end`,
  `_customer`,
  COUNT(*) AS `_orders`,
  COUNT(*) AS `counted`,
  OFFSET_RANGES(`record_partition`, `record_offset`) AS `offsets`
FROM TABLE(TUMBLE(TABLE `grouped`, DESCRIPTOR(`rowtime`), INTERVAL '0 01:00:00.000' DAY TO SECOND(3)))
GROUP BY `window_start`, `window_end`, `_customer`
) WHERE `counted` > 0;
INSERT INTO `accounts` SELECT * FROM `counted`;
INSERT INTO `dead_letters` SELECT `record_key`, `record_value`, MAP_UNION(UNPACK_HEADERS(`record_headers`), MAP[
    'millrace_dlq_by', ENCODE('flink/spread', 'UTF-8'),
    'millrace_dlq_reason', ENCODE(CASE WHEN `event` IS NULL THEN 'malformed' WHEN `event_time` IS NULL THEN 'malformed' ELSE 'too-far-ahead' END, 'UTF-8'),
    'millrace_dlq_detail', ENCODE(CASE WHEN `event` IS NULL THEN 'the value is not JSON of its event type' WHEN `event_time` IS NULL THEN 'the event has no time' ELSE 'the time of the event is further ahead of when it was stored than the pipeline takes' END, 'UTF-8'),
    'millrace_origin_topic', ENCODE('order.placed', 'UTF-8'),
    'millrace_origin_partition', ENCODE(CAST(`record_partition` AS STRING), 'UTF-8'),
    'millrace_origin_offset', ENCODE(CAST(`record_offset` AS STRING), 'UTF-8')
  ])
FROM `judged` WHERE `outcome` = 'dead-lettered';
INSERT INTO `late_events` SELECT `record_key`, `record_value`, MAP_UNION(UNPACK_HEADERS(`record_headers`), MAP[
    'millrace_pipeline', ENCODE('spread', 'UTF-8'),
    'millrace_window_end', ENCODE(DATE_FORMAT(CAST(LAST_WINDOW_END(`event_time`, 3600000, 3600000) AS TIMESTAMP(3)), 'uuuu-MM-dd''T''HH:mm:ss.SSS''Z'''), 'UTF-8'),
    'millrace_watermark', ENCODE(DATE_FORMAT(CAST(`watermark` AS TIMESTAMP(3)), 'uuuu-MM-dd''T''HH:mm:ss.SSS''Z'''), 'UTF-8'),
    'millrace_origin_topic', ENCODE('order.placed', 'UTF-8'),
    'millrace_origin_partition', ENCODE(CAST(`record_partition` AS STRING), 'UTF-8'),
    'millrace_origin_offset', ENCODE(CAST(`record_offset` AS STRING), 'UTF-8')
  ])
FROM `judged` WHERE `outcome` = 'late';
END;

