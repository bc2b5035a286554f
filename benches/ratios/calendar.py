"""Open time by Python libraries: Berlin, Monday to Friday, 9 to 17, ten holidays a year.

Prints for each library and length of time a line: name, length, nanoseconds by round.
"""

import datetime
import sys
import time

ROUNDS = int(sys.argv[1])
DATES = [(1, 1), (1, 6), (4, 3), (4, 6), (5, 1), (5, 14), (8, 15), (10, 3), (12, 25), (12, 26)]
HOLIDAYS = {datetime.date(year, *date): "closed" for year in range(2020, 2031) for date in DATES}
BEGIN = datetime.datetime(2020, 1, 1, 0, 0, 1)
LENGTHS = {"day": datetime.timedelta(days=1), "years": datetime.timedelta(days=3653)}


def business_time_delta():
    import businesstimedelta
    import pytz

    zone = pytz.timezone("Europe/Berlin")
    work = businesstimedelta.WorkDayRule(
        start_time=datetime.time(9),
        end_time=datetime.time(17),
        working_days=[0, 1, 2, 3, 4],
        tz=zone,
    )
    closed = businesstimedelta.HolidayRule(HOLIDAYS, tz=zone)
    rules = businesstimedelta.Rules([work, closed])
    begin = zone.localize(BEGIN)
    return lambda hour, length: rules.difference(
        begin + datetime.timedelta(hours=hour), begin + datetime.timedelta(hours=hour) + length
    )


def business_duration():
    from business_duration import businessDuration

    def ask(hour, length):
        begin = BEGIN + datetime.timedelta(hours=hour)
        return businessDuration(
            startdate=begin,
            enddate=begin + length,
            starttime=datetime.time(9),
            endtime=datetime.time(17),
            holidaylist=HOLIDAYS,
            unit="min",
        )

    return ask


def nanoseconds(ask, length):
    # The first call does what is done only once; then until it has taken a fifth of a second.
    ask(0, length)
    begun, asked = time.perf_counter(), 0
    while time.perf_counter() - begun < 0.2:
        ask(asked % 5800, length)
        asked += 1
    return (time.perf_counter() - begun) * 1e9 / asked


for name, make in [("businesstimedelta", business_time_delta), ("business-duration", business_duration)]:
    try:
        ask = make()
        for length, span in LENGTHS.items():
            figures = [f"{nanoseconds(ask, span):.0f}" for _ in range(ROUNDS)]
            print(name, length, *figures)
    except Exception as error:
        print(name, "LEFT-OUT", repr(error).replace("\n", " "))
