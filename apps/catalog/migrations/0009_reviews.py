"""Reviews, and what they make of the ratings of products."""

import apps.kernel.ids
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import pgtrigger.compiler
import pgtrigger.migrations
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0008_reservation_by_expiry'),
    ]

    accepts = {
        'reads catalog_product': 'A hundred thousand products are read in a tenth of a second.',
        'triggers catalog_product': 'It keeps the rating, which the release before never changes.',
        'tightens catalog_product': 'About a column that the release before does not know.',
    }

    operations = [
        migrations.CreateModel(
            name='Purchase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_id', models.UUIDField()),
                ('product_id', models.UUIDField()),
                ('bought_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.UUIDField(default=apps.kernel.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('customer_id', models.UUIDField(blank=True, null=True)),
                ('author_name', models.CharField(blank=True, max_length=80)),
                ('status', models.CharField(choices=[('pending', 'to be read'), ('approved', 'shown'), ('rejected', 'not shown')], db_default='pending', default='pending', max_length=10)),
                ('reason', models.CharField(blank=True, db_default='', help_text='Why it is not shown.', max_length=200)),
                ('version', models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('rating', models.PositiveSmallIntegerField(help_text='1 to 5 stars.')),
                ('title', models.CharField(blank=True, max_length=120)),
                ('body', models.TextField(blank=True, max_length=5000)),
                ('is_verified', models.BooleanField(db_default=False, default=False, help_text='The author has bought it.')),
                ('helpful_count', models.PositiveIntegerField(db_default=0, default=0)),
                ('report_count', models.PositiveIntegerField(db_default=0, default=0)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'permissions': [('moderate_review', 'Can approve, reject and answer reviews and questions')],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='ReviewReply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('body', models.TextField(max_length=2000)),
                ('actor_id', models.UUIDField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'verbose_name_plural': 'review replies',
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='ReviewReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_id', models.UUIDField(db_index=True)),
                ('cause', models.CharField(choices=[('spam', 'advertising'), ('offensive', 'insults somebody'), ('off_topic', 'not about the product'), ('private', "tells of somebody's private life"), ('other', 'something else')], max_length=10)),
                ('detail', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='ReviewVote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_id', models.UUIDField(db_index=True, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddField(
            model_name='product',
            name='rating_score',
            field=models.FloatField(db_default=3.5, default=3.5, editable=False, help_text='By which lists are sorted; kept by the database like all of the rating.'),
        ),
        migrations.AddField(
            model_name='product',
            name='rating_stars',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='product',
            trigger=pgtrigger.compiler.Trigger(name='rating_is_left_to_reviews', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (pg_trigger_depth() = 0 AND (OLD.rating_count, OLD.rating_stars, OLD.rating_average, OLD.rating_score) IS DISTINCT FROM (NEW.rating_count, NEW.rating_stars, NEW.rating_average, NEW.rating_score))', func='\n        NEW.rating_count := OLD.rating_count;\n        NEW.rating_stars := OLD.rating_stars;\n        NEW.rating_average := OLD.rating_average;\n        NEW.rating_score := OLD.rating_score;\n        RETURN NEW;\n    ', hash='0964095e7da4dd410a4a0e67f4804a791bd4d1a5', operation='UPDATE', pgid='pgtrigger_rating_is_left_to_reviews_bea44', table='catalog_product', when='BEFORE')),
        ),
        AddConstraintNotValid(
            model_name='product',
            constraint=models.CheckConstraint(condition=models.Q(('rating_stars__gte', models.F('rating_count')), ('rating_stars__lte', django.db.models.expressions.CombinedExpression(models.F('rating_count'), '*', models.Value(5)))), name='product_rating_has_1_to_5_stars_a_review'),
        ),
        migrations.AddConstraint(
            model_name='purchase',
            constraint=models.UniqueConstraint(fields=('customer_id', 'product_id'), name='purchase_is_noted_once'),
        ),
        migrations.AddField(
            model_name='review',
            name='product',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='catalog.product'),
        ),
        migrations.AddField(
            model_name='reviewreply',
            name='review',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='replies', to='catalog.review'),
        ),
        migrations.AddField(
            model_name='reviewreport',
            name='review',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='catalog.review'),
        ),
        migrations.AddField(
            model_name='reviewvote',
            name='review',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='votes', to='catalog.review'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(condition=models.Q(('status', 'pending')), fields=['created_at', 'id'], name='review_waiting'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['customer_id', 'created_at', 'id'], name='review_of_customer'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(condition=models.Q(('status', 'approved')), fields=['product', 'created_at', 'id'], name='review_shown_by_age'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(condition=models.Q(('status', 'approved')), fields=['product', 'helpful_count', 'id'], name='review_shown_by_help'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(condition=models.Q(('status', 'approved')), fields=['product', 'rating', 'id'], name='review_shown_by_stars'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['pending', 'approved', 'rejected'])), name='review_status_is_known'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'rejected'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='review_is_rejected_with_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.UniqueConstraint(fields=('customer_id', 'product'), name='review_is_written_once_a_product'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('rating__gte', 1), ('rating__lte', 5)), name='review_has_1_to_5_stars'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='review',
            trigger=pgtrigger.compiler.Trigger(name='review_counts_in_the_rating', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE reviews integer := 0; stars integer := 0; product uuid;', func="\n        IF TG_OP <> 'INSERT' THEN\n            product := OLD.product_id;\n            IF OLD.status = 'approved' THEN\n                reviews := -1;\n                stars := -OLD.rating;\n            END IF;\n        END IF;\n        IF TG_OP <> 'DELETE' THEN\n            product := NEW.product_id;\n            IF NEW.status = 'approved' THEN\n                reviews := reviews + 1;\n                stars := stars + NEW.rating;\n            END IF;\n        END IF;\n        IF reviews <> 0 OR stars <> 0 THEN\n            UPDATE catalog_product SET\n                rating_count = rating_count + reviews,\n                rating_stars = rating_stars + stars,\n                rating_average = CASE WHEN rating_count + reviews = 0 THEN 0 ELSE round((rating_stars + stars)::numeric / (rating_count + reviews), 2) END,\n                rating_score = round((17.5 + rating_stars + stars) / (5 + rating_count + reviews), 4)\n            WHERE id = product;\n        END IF;\n        RETURN NULL;\n    ", hash='e0b28dd734d7091c2df2d2f2b07bf34fc72bd0a6', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_review_counts_in_the_rating_c67b7', table='catalog_review', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='review',
            trigger=pgtrigger.compiler.Trigger(name='review_stays_with_its_product', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."product_id" IS DISTINCT FROM (NEW."product_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='36defe88415afe11c5cf7ef9f7082a5b56a95ee3', operation='UPDATE', pgid='pgtrigger_review_stays_with_its_product_84b53', table='catalog_review', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='reviewreport',
            constraint=models.UniqueConstraint(fields=('review', 'customer_id'), name='review_report_is_made_once'),
        ),
        migrations.AddConstraint(
            model_name='reviewreport',
            constraint=models.CheckConstraint(condition=models.Q(('cause__in', ['spam', 'offensive', 'off_topic', 'private', 'other'])), name='review_report_cause_is_known'),
        ),
        migrations.AddConstraint(
            model_name='reviewvote',
            constraint=models.UniqueConstraint(fields=('review', 'customer_id'), name='review_vote_is_given_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reviewvote',
            trigger=pgtrigger.compiler.Trigger(name='review_votes_are_counted', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n                    IF TG_OP = 'INSERT' THEN\n                        UPDATE catalog_review SET helpful_count = helpful_count + 1\n                        WHERE id = NEW.review_id;\n                    ELSE\n                        UPDATE catalog_review SET helpful_count = helpful_count - 1\n                        WHERE id = OLD.review_id;\n                    END IF;\n                    RETURN NULL;\n                ", hash='365a13faadf0ce8f7b4fd5a1eacfb78cc43c1a0d', operation='INSERT OR DELETE', pgid='pgtrigger_review_votes_are_counted_cea66', table='catalog_reviewvote', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reviewvote',
            trigger=pgtrigger.compiler.Trigger(name='review_vote_stays_with_its_review', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."review_id" IS DISTINCT FROM (NEW."review_id"))', func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='e3fe92d287e7a781d926b0323ebdad24bc7dcf44', operation='UPDATE', pgid='pgtrigger_review_vote_stays_with_its_review_aacb8', table='catalog_reviewvote', when='BEFORE')),
        ),
    ]
