package io.millrace.flink;

/** {@code FIRST_BY_TIME(value, time TIMESTAMP_LTZ(3), partition INT, offset BIGINT)}: the value of the first record by time. */
public final class FirstByTime extends ValueByTime {

    public FirstByTime() {
        super(1);
    }
}
