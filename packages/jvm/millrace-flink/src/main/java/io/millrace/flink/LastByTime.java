package io.millrace.flink;

/** {@code LAST_BY_TIME(value, time TIMESTAMP_LTZ(3), partition INT, offset BIGINT)}: the value of the last record by time. */
public final class LastByTime extends ValueByTime {

    public LastByTime() {
        super(-1);
    }
}
